# Every role of Tidegate in one image; `docker compose` says which role a container runs.
# LOCK says for which machine: cpu, or gpu for one with an NVIDIA GPU.
FROM python:3.11.13-slim-bookworm AS build
ARG LOCK=cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/tidegate
# What changes less often than our code is a layer of its own.
COPY requirements/${LOCK}.lock requirements/
RUN /opt/tidegate/bin/pip install --no-deps --require-hashes -r requirements/${LOCK}.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY inference inference
COPY monitors monitors
COPY alerts alerts
COPY feedback feedback
COPY streams streams
COPY infra infra
RUN /opt/tidegate/bin/pip install --no-deps --no-build-isolation .

FROM python:3.11.13-slim-bookworm
ARG LOCK=cpu
# vLLM on a CPU loads libnuma; on a GPU, Triton compiles small C files at run time.
RUN apt-get update \
    && case ${LOCK} in gpu) packages="gcc libc6-dev" ;; *) packages="libnuma1" ;; esac \
    && apt-get install --yes --no-install-recommends ${packages} \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/tidegate /opt/tidegate
RUN useradd --uid 10001 --create-home tidegate \
    && install -d -o tidegate -g tidegate \
        /var/lib/tidegate /var/cache/tidegate /etc/tidegate/registry
USER tidegate
WORKDIR /var/lib/tidegate
# Nothing may call home.
ENV PATH=/opt/tidegate/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    DO_NOT_TRACK=1 \
    HF_HUB_OFFLINE=1 \
    TRANSFORMERS_OFFLINE=1 \
    VLLM_NO_USAGE_STATS=1 \
    TIDEGATE_DATA=/var/lib/tidegate \
    TIDEGATE_CACHE=/var/cache/tidegate \
    TIDEGATE_REGISTRY=/etc/tidegate/registry
ENTRYPOINT ["tidegate"]

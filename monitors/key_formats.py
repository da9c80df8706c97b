"""The formats in which issuers publish their keys and tokens."""

from __future__ import annotations

import re

from monitors.matching import Expression

_SPECIAL = re.compile(r"[.\[\](){}?*+|^$]")

# label, how it begins (literal), what follows. Each is from the issuer's own documentation of its
# tokens, or from the prefixes that issuers registered with public secret-scanning programmes.
_PREFIXED: tuple[tuple[str, str, str], ...] = (
    ("ADAFRUIT_KEY", "aio_", r"[A-Za-z0-9]{28}"),
    ("AGE_KEY", "AGE-SECRET-KEY-1", r"[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    ("AIRTABLE_TOKEN", "pat", r"[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    ("ALIBABA_KEY", "LTAI", r"[A-Za-z0-9]{17,26}"),
    ("ARTIFACTORY_KEY", "AKCp", r"[A-Za-z0-9]{69}"),
    ("ARTIFACTORY_TOKEN", "cmVmdGtu", r"[A-Za-z0-9]{56}"),
    ("ATLASSIAN_TOKEN", "ATATT3", r"[\w=-]{100,300}"),
    ("BITBUCKET_TOKEN", "ATBB", r"[A-Za-z0-9]{32}"),
    ("BUILDKITE_TOKEN", "bkua_", r"[a-z0-9]{40}"),
    ("CIRCLECI_TOKEN", "CCIPAT_", r"[A-Za-z0-9]{22}_[A-Fa-f0-9]{40}"),
    ("CLOJARS_TOKEN", "CLOJARS_", r"[a-z0-9]{60}"),
    ("CLOUDFLARE_KEY", "v1.0-", r"[a-f0-9]{24}-[a-f0-9]{146}"),
    ("CRATES_TOKEN", "cio", r"[A-Za-z0-9]{32}"),
    ("DATABRICKS_TOKEN", "dapi", r"[a-f0-9]{32}(?:-\d)?"),
    ("DIGITALOCEAN_TOKEN", "dop_v1_", r"[a-f0-9]{64}"),
    ("DIGITALOCEAN_TOKEN", "doo_v1_", r"[a-f0-9]{64}"),
    ("DIGITALOCEAN_TOKEN", "dor_v1_", r"[a-f0-9]{64}"),
    ("DOCKER_TOKEN", "dckr_pat_", r"[\w-]{27}"),
    ("DOPPLER_TOKEN", "dp.pt.", r"[A-Za-z0-9]{40,44}"),
    ("DUFFEL_TOKEN", "duffel_live_", r"[\w=-]{43}"),
    ("DYNATRACE_TOKEN", "dt0c01.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    ("EASYPOST_KEY", "EZAK", r"[A-Za-z0-9]{54}"),
    ("FIGMA_TOKEN", "figd_", r"[\w-]{40}"),
    ("FLUTTERWAVE_KEY", "FLWSECK-", r"[a-f0-9]{32}-X"),
    ("FLY_TOKEN", "fo1_", r"[\w-]{43}"),
    ("FRAMEIO_TOKEN", "fio-u-", r"[\w=-]{64}"),
    ("GITLAB_TOKEN", "glsoat-", r"[\w-]{20}"),
    ("GOOGLE_SECRET", "GOCSPX-", r"[\w-]{28}"),
    ("GOOGLE_TOKEN", "ya29.", r"[\w-]{20,400}"),
    ("GRAFANA_TOKEN", "glsa_", r"[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}"),
    ("GRAFANA_TOKEN", "glc_", r"[A-Za-z0-9+/]{32,400}={0,2}"),
    ("GROQ_KEY", "gsk_", r"[A-Za-z0-9]{52}"),
    ("HEROKU_TOKEN", "HRKU-", r"[\w-]{36,80}"),
    ("INFRACOST_TOKEN", "ico-", r"[A-Za-z0-9]{32}"),
    ("LAUNCHDARKLY_KEY", "sdk-", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ("LINEAR_KEY", "lin_api_", r"[A-Za-z0-9]{40}"),
    ("MAILGUN_KEY", "key-", r"[a-f0-9]{32}"),
    ("MAPBOX_TOKEN", "sk.eyJ", r"[\w-]{40,200}\.[\w-]{22}"),
    ("MODEL_KEY", "gsk-", r"[A-Za-z0-9]{40,60}"),
    ("MODEL_KEY", "pplx-", r"[A-Za-z0-9]{48}"),
    ("MODEL_KEY", "r8_", r"[A-Za-z0-9]{37}"),
    ("MODEL_KEY", "xai-", r"[A-Za-z0-9]{80}"),
    ("NETLIFY_TOKEN", "nfp_", r"[A-Za-z0-9]{36}"),
    ("NEWRELIC_KEY", "NRAK-", r"[A-Z0-9]{27}"),
    ("NOTION_TOKEN", "ntn_", r"\d{11}[A-Za-z0-9]{35}"),
    ("NUGET_KEY", "oy2", r"[a-z0-9]{43}"),
    ("ONEPASSWORD_TOKEN", "ops_eyJ", r"[A-Za-z0-9+/]{250,}={0,3}"),
    ("PLAID_TOKEN", "access-production-", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ("PLAID_TOKEN", "access-sandbox-", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ("PLANETSCALE_TOKEN", "pscale_tkn_", r"[\w.=-]{32,64}"),
    ("PLANETSCALE_TOKEN", "pscale_pw_", r"[\w.=-]{32,64}"),
    ("POSTMAN_KEY", "PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}"),
    ("PREFECT_TOKEN", "pnu_", r"[a-z0-9]{36}"),
    ("PULUMI_TOKEN", "pul-", r"[a-f0-9]{40}"),
    ("RAZORPAY_KEY", "rzp_live_", r"[A-Za-z0-9]{14}"),
    ("README_KEY", "rdme_", r"[a-z0-9]{70}"),
    ("RUBYGEMS_KEY", "rubygems_", r"[a-f0-9]{48}"),
    ("SENTRY_TOKEN", "sntrys_", r"[A-Za-z0-9+/=_-]{60,400}"),
    ("SENTRY_TOKEN", "sntryu_", r"[a-f0-9]{64}"),
    ("SHIPPO_TOKEN", "shippo_live_", r"[a-f0-9]{40}"),
    ("SHOPIFY_TOKEN", "shpat_", r"[a-fA-F0-9]{32}"),
    ("SHOPIFY_TOKEN", "shpca_", r"[a-fA-F0-9]{32}"),
    ("SHOPIFY_TOKEN", "shppa_", r"[a-fA-F0-9]{32}"),
    ("SHOPIFY_TOKEN", "shpss_", r"[a-fA-F0-9]{32}"),
    ("SLACK_TOKEN", "xapp-", r"\d-[A-Z0-9]{8,14}-\d{10,14}-[a-z0-9]{40,80}"),
    ("SLACK_TOKEN", "xoxe.xox", r"[bp]-\d-[A-Za-z0-9]{100,200}"),
    ("SQUARE_TOKEN", "sq0atp-", r"[\w-]{22}"),
    ("SQUARE_TOKEN", "sq0csp-", r"[\w-]{43}"),
    ("STRIPE_SECRET", "whsec_", r"[A-Za-z0-9+/=]{32,64}"),
    ("SUPABASE_TOKEN", "sbp_", r"[a-f0-9]{40}"),
    ("TAILSCALE_KEY", "tskey-", r"(?:auth|api|client)-[A-Za-z0-9]{8,24}-[A-Za-z0-9]{16,48}"),
    ("TENCENT_KEY", "AKID", r"[A-Za-z0-9]{32}"),
    ("TWILIO_KEY", "SK", r"[0-9a-f]{32}"),
    ("TYPEFORM_TOKEN", "tfp_", r"[\w.=-]{59}"),
    ("VAULT_TOKEN", "hvs.", r"[\w-]{24,200}"),
    ("VAULT_TOKEN", "hvb.", r"[\w-]{130,300}"),
    ("YANDEX_KEY", "AQVN", r"[\w-]{35,38}"),
    ("YANDEX_TOKEN", "t1.", r"[A-Z0-9a-z_-]{1,512}={0,2}\.[A-Z0-9a-z_-]{86}={0,2}"),
)

# label, pattern, seed: those that do not begin with what tells them.
_OTHER: tuple[tuple[str, str, str], ...] = (
    ("AZURE_KEY", r"AccountKey=[A-Za-z0-9+/]{86}==", r"AccountKey="),
    ("AZURE_KEY", r"[\w.~-]{3}\dQ~[\w.~-]{31,34}", r"\dQ~"),
    ("AZURE_KEY", r"SharedAccessKey=[A-Za-z0-9+/]{43}=", r"SharedAccessKey="),
    ("AZURE_SIGNATURE", r"[?&]sig=[A-Za-z0-9%+/]{40,100}(?:%3D|=)", r"[?&]sig="),
    ("BRAINTREE_TOKEN", r"access_token\$production\$[0-9a-z]{16}\$[0-9a-f]{32}", r"\$production\$"),
    ("CRYPTO_KEY", r"[5KL][1-9A-HJ-NP-Za-km-z]{50,51}", r"[5KL][1-9A-HJ-NP-Za-km-z]{50}"),
    ("CRYPTO_KEY", r"[xyz]prv[1-9A-HJ-NP-Za-km-z]{107}", r"[xyz]prv[1-9A-HJ-NP-Za-km-z]"),
    ("CRYPTO_KEY", r"nsec1[02-9ac-hj-np-z]{58}", r"nsec1"),
    ("DISCORD_TOKEN", r"[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,40}", r"\.[\w-]{6}\.[\w-]{9}"),
    ("DISCORD_WEBHOOK", r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,80}", r"/webhooks/"),
    ("MAILCHIMP_KEY", r"[0-9a-f]{32}-us\d{1,2}", r"[0-9a-f]-us\d"),
    ("PUTTY_KEY", r"PuTTY-User-Key-File-\d: [^\n]{4,40}", r"PuTTY-User-Key-File-"),
    ("TEAMS_WEBHOOK", r"\.webhook\.office\.com/webhookb2/[\w@-]{36,80}/[\w/-]{36,120}",
     r"\.webhook\.office\.com"),
    ("TERRAFORM_TOKEN", r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70}", r"\.atlasv1\."),
)  # fmt: skip

_HEADERS = (
    Expression(
        "AUTHORIZATION",
        regex=(
            r"authorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:basic|bearer|token)\s{1,4}"
            r"(?P<value>[A-Za-z0-9+/_.~-]{16,4000}={0,2})"
        ),
        seed=r"authorization[\"']?\s{0,4}[:=]",
        caseless=True,
    ),
    Expression(
        "COOKIE",
        regex=(
            r"(?:session(?:_?id)?|sid|jsessionid|phpsessid|connect\.sid|auth_token)="
            r"(?P<value>[A-Za-z0-9%._-]{20,400})"
        ),
        seed=r"(?:session(?:_?id)?|sid|auth_token)=[A-Za-z0-9%._-]{8}",
        caseless=True,
    ),
)


def alone(label: str, pattern: str, seed: str) -> Expression:
    """Return the expression of a token that stands alone, not within a longer one."""
    return Expression(label, regex=rf"(?<![A-Za-z0-9_-])(?:{pattern})(?![A-Za-z0-9_-])", seed=seed)


def _prefixed(label: str, prefix: str, rest: str) -> Expression:
    begin = _SPECIAL.sub(r"\\\g<0>", prefix)
    # A short prefix alone is part of too many words to be worth a second look.
    seed = begin if len(prefix) > 5 else begin + r"[\w.=/+-]{4}"
    return alone(label, begin + rest, seed)


FORMATS: tuple[Expression, ...] = (
    *(_prefixed(*row) for row in _PREFIXED),
    *(
        Expression(label, pattern, seed=seed) if pattern[0] in "[\\" and label.endswith("WEBHOOK")
        else alone(label, pattern, seed)
        for label, pattern, seed in _OTHER
    ),
    *_HEADERS,
)  # fmt: skip
"""What a key or token of each issuer looks like, besides the best known in ``secrets.py``."""

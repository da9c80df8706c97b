"""The vocabulary and the chat template of the bank model."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

PAD, END, NOTE, CUSTOMER, BANK = "<|pad|>", "<|end|>", "<|note|>", "<|customer|>", "<|bank|>"
VOCABULARY = 2048

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message.role == 'assistant' %}<|bank|>{{ message.content }}<|end|>"
    "{% elif message.role == 'system' %}<|note|>{{ message.content }}"
    "{% else %}<|customer|>{{ message.content }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|bank|>{% endif %}"
)


def train_tokenizer(texts: Iterable[str], context_tokens: int) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer of ``texts``; it can write any text at all."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=[PAD, END, NOTE, CUSTOMER, BANK],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[NOTE, CUSTOMER, BANK],
        model_max_length=context_tokens,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast

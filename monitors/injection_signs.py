"""Phrases that attempts to talk a model out of its instructions need, by kind of sign."""

from __future__ import annotations

from monitors.matching import Expression
from monitors.phrases import phrase

_ORDERS = (
    r"(instructions?|prompts?|rules?|directives?|directions?|guidelines?|orders?|commands?"
    r"|polic(y|ies)|programming|training|restrictions?|constraints?|context)"
)
_EARLIER = r"(previous|prior|above|earlier|preceding|former|original|initial|past|foregoing)"
_DROP = r"(ignor(e|ing)|disregard(ing)?|forget|overlook|override|overrule|discard|bypass|drop|skip)"
_FREE = (
    r"(restrictions?|filters?|filtering|limitations|rules|guidelines|morals?|morality|ethics"
    r"|boundaries|disclaimers?|refusals?|safeguards?|constraints?|consequences)"
)
_HIDDEN = r"(system|hidden|secret|initial|original|internal|confidential|developer|pre)"

_PHRASES: dict[str, tuple[str, ...]] = {
    "override": (
        rf"{_DROP} ~3 {_EARLIER} ~2 {_ORDERS}",
        rf"{_DROP} ~1 (all|any|every|everything|your|these|those) ~2 {_ORDERS}",
        rf"{_DROP} ~3 {_ORDERS} ~4 (before|above|earlier|previously|given|received|got|told|far)",
        r"(ignore|disregard|forget) ~1 (everything|anything|all|what) ~4"
        r" (above|before|told|said|learned|know|instructed|earlier)",
        r"(do not|don[\W_]?t|stop|no longer|never) (follow|following|obey|obeying|heed|bound by)"
        rf" ~3 {_ORDERS}",
        rf"(let go of|set aside|throw away|erase|delete|wipe) ~2 {_EARLIER} {_ORDERS}",
        rf"(new|updated|real|actual) {_ORDERS} (follow|begin|start|override|supersede|replace)",
        r"(vergiss|ignoriere|missachte) ~3 (anweisungen|regeln|vorgaben|befehle|instruktionen)",
        r"(ignora|olvida|descarta|dimentica) ~4 (instrucciones|reglas|istruzioni|regole)",
        r"(ignore|oublie|ignorez|oubliez) ~3 (consignes|instructions|directives|regles)",
    ),
    "jailbreak": (
        r"do anything now",
        r"(jailbreak|jailbroken|jail broken|jailbreaking)",
        r"(developer|dan|jailbreak|unrestricted|uncensored|evil|opposite|sudo) mode"
        r" (enabled|activated|output|on|is|responses?)",
        r"(enable|activate|enter|simulate|simulating) ~2 (developer|dan|jailbreak|god) mode",
        r"(act|behave|respond|answer|acting|act up) ~3 (dan|stan|dude|aim|unrestricted|unfiltered"
        r"|uncensored|amoral|unlimited|evil)",
        r"(unrestricted|unfiltered|uncensored|amoral|limitless) ~2 (ai|chatbot|assistant|bot"
        r"|language|model|llm|gpt)",
    ),
    "reveal": (
        rf"(reveal|show|print|repeat|output|display|tell|give|leak|disclose|share|recite|what)"
        rf" ~4 {_HIDDEN} (prompt|instructions|message|rules|guidelines|configuration|key|password)",
        r"(repeat|print|output|show|translate|summari[sz]e) ~3 (words|text|everything|lines?|all)"
        r" (above|before this|so far)",
        r"what (is|are|were) your ~1 (system|secret|initial|hidden|original|exact)"
        r" (prompt|instructions|key|password|rules|message)",
        r"your (instructions|prompt|system prompt|rules) (verbatim|word for word|exactly)",
        r"(other|another|different|previous) (customers?|users?) ~1"
        r" (data|details|passwords?|balances?|accounts?|conversations?|records?|information)",
    ),
    "forged_markup": (
        r"(im_start|im_end|endoftext|begin_of_text|start_header_id|eot_id)",
        r"(begin|end|start|stop|new) ~1 system (prompt|message|instructions?)",
        r"(end|begin) of (system|instructions?|context|prompt|document|user input)",
        r"(system|admin|developer) (override|command|note to (ai|model|assistant))",
    ),
    "exfiltration": (
        r"(send|forward|email|post|upload|transmit|exfiltrate|submit) ~5"
        r" (conversation|history|passwords?|credentials|secrets?|api keys?|data|records|prompt)"
        r" ~4 to ~3 (https?|www|attacker|url|address|server|webhook|endpoint)",
        r"(append|include|embed|render) ~4 (image|link|url|markdown) ~6 (conversation|secrets?"
        r"|password|history|prompt)",
    ),
    "false_authority": (
        r"(security|safety|admin|developer|training|system|root|maintenance|god|debug)"
        r" ~1 (override|mode) ~1 (mode|enabled|activated|on|engaged|unlocked|granted)",
        r"(god|sudo|root|override) mode",
        r"i (am|m) (your|the|an?) ~1 (developer|creator|administrator|admin|programmer|owner)"
        r" (and|of|so|with|from|at)",
        r"(developer|admin|administrator|root) (access|privileges?|rights) (granted|enabled|given)",
        r"(you have|you ve) been (reprogrammed|freed|unlocked|liberated|hacked|updated to)",
    ),
    "no_limits": (
        rf"(without|no|free of|free from|zero|lacks?|bypass|remove|disable) ~2 {_FREE}",
        r"(broken|break|breaking|freed?) ~1 (free|out) (of|from) ~3"
        r" (confines|rules|limits|restrictions|constraints|programming|ai)",
        r"(not|never|no longer) ~1 (bound|restricted|limited|constrained|governed) by",
    ),
    "amoral": (
        r"(regardless of|disregards?|ignores?|violat(e|es|ing)) ~2"
        r" (legality|laws?|ethics|ethical|morals?|consequences|polic(y|ies)|standards)",
        r"(amoral|immoral|unethical|unhinged|unfiltered|uncensored|unrestricted|censorship)",
        r"(openai|content|usage|safety) polic(y|ies)",
    ),
    "hidden_payload": (
        r"(decode|decrypt|deobfuscate|decipher) ~4 (base64|rot13|hex|binary|cipher|morse)",
        r"(base64|rot13|hex) ~4 (follow|execute|obey|run|do what|answer)",
        r"(combine|concatenate|join) ~4 (a|b|x|parts?|strings?|pieces) ~4"
        r" (answer|execute|follow|run|respond)",
    ),
    "compulsion": (
        r"(never|not|cannot|don[\W_]?t|won[\W_]?t) ~1 (refuse|reject|decline|deny)",
        r"(must|always|will|have to|need to) ~2 (comply|obey|answer (any|every|all)|follow every)",
        r"(never|do not|don[\W_]?t) ~1 (say|state|claim) ~2 (cannot|can[\W_]?t|ai|sorry|unable)",
        r"(stay|remain|keep) ~1 (in|with) (character|your role|the role)",
        r"(start|begin|prefix) ~2 (response|answer|reply|output|message|sentence)s? ~2 with",
    ),
    "two_faced": (
        r"(two|2|both) ~3 (responses|answers|ways|manners|outputs|replies|paragraphs|personas)",
        r"(first|second|one) ~1 (response|answer|way|output) ~4 (normal|normally|usual|standard)",
    ),
    "persona": (
        r"from (now|this (point|moment|message)) (on|forward|onwards?)",
        r"you are (now|going to|about to) ~2 (a|an|the|act|play|pretend|become|immerse)",
        r"(act|acting|behave|roleplay|role play|pretend|simulate|respond|answer) ~1"
        r" (as|like|to be) ~1 (a|an|if|the|you|my|someone)",
        r"(assume|adopt|take on|play) ~1 (persona|role|character|identity)",
        r"(imagine|suppose|hypothetical|fictional) ~4 (world|universe|scenario|story|ai)",
    ),
}  # fmt: skip
_MARKUP = (
    Expression("forged_markup", r"<\|[a-z_]{2,24}\|>", caseless=True),
    Expression("forged_markup", r"\[/?(?:INST|SYS|SYSTEM)\]|<</?SYS>>|</?system>", caseless=True),
    Expression("forged_markup", r"#{2,6} {0,3}(?:system|instructions?|new task) {0,3}:?(?:\n|$)",
               caseless=True),
    Expression("exfiltration", r"!\[[^\]\n]{0,80}\]\(https?://[^\s)]{1,200}[?&=][^\s)]{0,80}[{$<%]",
               caseless=True),
)  # fmt: skip

SIGNS = (
    *(phrase(kind, words) for kind in _PHRASES for words in _PHRASES[kind]),
    *_MARKUP,
)
"""One expression per phrase, labelled by the kind of sign it is."""

"""Words that do the same in an attack, whichever of them is taken."""

from __future__ import annotations

from functools import lru_cache

_CLASSES = {
    "AI": "ai ais llm llms gpt gpts chatgpt claude gemini bard llama mistral copilot siri alexa bot"
    " bots chatbot chatbots assistant assistants agent agents model models machine robot computer"
    " intelligence summariser summarizer scraper crawler parser automaton chatgpt4 gpt4",
    "DROP": "ignore disregard forget overlook discard bypass override overrule neglect abandon"
    " scrap erase delete skip drop omit cancel dismiss abolish unlearn circumvent suspend ignor"
    " supersede replace void revoke reset undo reject refuse disobey defy",
    "ORDERS": "instruction instructions directive directives rule rules guideline guidelines"
    " command commands prompt prompts order orders direction directions programming policy"
    " policies constraint constraints training briefing brief message configuration setup preamble"
    " context protocol protocols mandate assignment task tasks request requests",
    "EARLIER": "previous previously prior earlier above preceding foregoing former original"
    " initial initially past before old existing first precede precedes so-far beginning",
    "LIMITS": "restriction restrictions filter filters limit limits limitation limitations moral"
    " morals morality ethics ethical safeguard safeguards boundary boundaries censorship guardrail"
    " guardrails disclaimer disclaimers refusal refusals legality safety inhibition inhibitions"
    " taboo taboos scruple scruples conscience warning warnings moderation consent norms",
    "FREE": "unrestricted unfiltered uncensored unlimited amoral immoral unethical unbound"
    " limitless jailbreak jailbroken unhinged unchained unleashed liberated lawless"
    " unmoderated rogue dan remorseless ruthless depraved unconstrained uninhibited unaligned",
    "EVIL": "evil wicked malicious sinister vile vulgar crude rude toxic offensive obscene profane"
    " hateful sarcastic cruel nasty filthy illegal unlawful harmful dangerous criminal",
    "SECRET": "password passwords passphrase passcode passcodes secret secrets key keys pin token"
    " tokens credential credentials codeword pass-phrase login",
    "HIDDEN": "system hidden confidential internal developer private classified undisclosed"
    " protected restricted pre-prompt preprompt admin root sudo debug",
    "REVEAL": "reveal disclose leak expose divulge spill unveil dump exfiltrate betray surrender"
    " uncover",
    "SAY": "say says tell print output repeat respond reply answer write state display show recite"
    " echo utter type return report claim announce declare mention inform",
    "SEND": "send forward email mail upload transmit post submit share relay deliver wire transfer"
    " copy fetch export",
    "ACT": "act pretend behave simulate roleplay imitate impersonate emulate portray embody"
    " impersonating role-play imagine suppose hypothetically fictional imaginary",
    "PERSONA": "persona character role identity alter ego personality avatar twin",
    "OBEY": "obey comply follow heed submit adhere abide conform listen serve execute",
    "MODE": "mode modes override activated enabled unlocked engaged disabled switched",
    "READER": "reading reads read processing processes process parsing parses parse summarising"
    " summarizing summarises summarizes summarise summarize handling handles analysing analyzing"
    " ingesting scanning scans translating evaluating reviewing screening indexing",
    "PERSON": "user users human humans customer customers owner operator operators reader reviewer"
    " recipient client recruiter creator creators developers makers provider",
    "HARM": "bomb bombs explosive explosives meth cocaine weapon weapons malware ransomware virus"
    " poison hack hacking phishing launder laundering murder steal counterfeit forge stalk scam"
    " porn erotic nsfw racist slur slurs torture kidnap terrorism",
    "INSTEAD": "instead rather solely only exclusively merely simply",
    "NOW": "now henceforth hereby henceforward onwards forthwith immediately",
    "MUST": "must shall should have need needs required obliged supposed",
    "NEVER": "never not don't cannot can't won't without no nor none nothing no-longer doesn't",
    "ANY": "any all every everything anything whatever whatsoever whichever each",
    "MY": "my your his her their our its",
    "ENCODE": "base64 rot13 hex hexadecimal binary morse cipher caesar encode decode encrypt"
    " decrypt decipher reversed backwards leetspeak",
    "PRIVATE": "address birthday birthdate ssn salary income phone email e-mail surname residence"
    " birth iban balance records database conversation conversations history",
}
_CLASS = {word: name for name, words in _CLASSES.items() for word in words.split()}
_ENDINGS = (("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e"), ("es", ""), ("s", ""))
_SHAPES = ("ing", "ed", "ly", "s")


@lru_cache(maxsize=1 << 16)
def class_of(word: str) -> str:
    """Return the class of ``word``, whatever its ending; nothing if it is in none.

    >>> class_of("disregarding"), class_of("chatbot"), class_of("melon")
    ('DROP', 'AI', '')
    """
    if word in _CLASS:
        return _CLASS[word]
    for ending, instead in _ENDINGS:
        if word.endswith(ending):
            found = _CLASS.get(word[: -len(ending)] + instead)
            if found:
                return found
    return ""


def shape_of(word: str) -> str:
    """Return what a word looks like that nothing else is known of.

    >>> shape_of("melons"), shape_of("oven"), shape_of("!")
    ('<s>', '<word>', '!')
    """
    if not word.isascii():
        return "<foreign>"
    if not word[0].isalpha():
        return word
    for ending in _SHAPES:
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return f"<{ending}>"
    return "<word>"

"""How the tagger of personal details is made: sentences of our own, and a fit on them."""

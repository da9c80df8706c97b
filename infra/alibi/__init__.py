"""alibi-detect's online detectors as monitors, in an environment and a process of their own.

alibi-detect needs a numpy that nothing else here runs with. What runs in its environment imports
only :mod:`schemas` and what :mod:`streams` knows of Kafka's clients; a test holds it to that.
"""

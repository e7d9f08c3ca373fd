"""Fits what a run can teach: when to abstain, what a score is worth as a probability, and whether to rerank.

Everything is fitted on one side of a split by documents and reported on both. The parts are pure functions over (score, right) pairs;
`fit` and `gate` put them together over the records of runs.
"""

"""Which settings are best on a labelled set: every combination is a run, and the choice is confirmed on questions it was not made on."""

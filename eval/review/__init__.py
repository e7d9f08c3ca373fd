"""Review of proposed questions: what comes next, and each decision written at once."""

"""Why a question went wrong: the first stage that lost what answers it."""

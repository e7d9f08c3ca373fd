"""A generator as judge: faithfulness, answer relevance, context precision and context recall, as Ragas defines them.

Es et al., "Ragas: Automated Evaluation of Retrieval Augmented Generation" (EACL 2024). The definitions are theirs, the prompts are ours, in
English and Chinese. A judge is a model and errs: `agreement` measures how often, on a sample labelled by people.
"""

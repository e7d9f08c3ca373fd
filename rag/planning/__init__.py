"""Memory and throughput of a language model before anybody rents a card: parameters and caches counted, speed by a roofline."""

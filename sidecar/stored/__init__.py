"""Files of the store and of others: read with their digests checked, written durably."""

"""Directions in the residual stream: made from pairs of answers, and what lies along them."""

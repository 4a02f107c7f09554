"""Forward passes, answers and the state that is loaded for them."""

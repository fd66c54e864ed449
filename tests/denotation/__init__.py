"""The two-valued meaning of the language, the worlds of a record, and generators of both."""

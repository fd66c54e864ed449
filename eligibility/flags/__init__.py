"""Risk, benefit and logistics flags: findings into flags, by chaining (MEANING 10, DESIGN 6)."""

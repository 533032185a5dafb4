"""Everything that retries: which failures deserve another attempt, how long to wait, and the attempts themselves."""

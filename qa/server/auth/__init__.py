"""Who calls, and what they may do: the guard before every route, and the permissions routes declare."""

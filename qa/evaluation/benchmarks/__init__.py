"""Quality on real data sets, in one table: every figure with its n, its interval, a floor and what others reached."""

"""Where articles come from by themselves: feeds that are asked, folders that are watched; in processes of their own."""

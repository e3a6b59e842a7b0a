"""What is kept of conversations: questions with the answers they got, and what readers thought of them."""

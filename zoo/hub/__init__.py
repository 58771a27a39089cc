"""The Hugging Face Hub: the one client, its cache, and what an entry of the Hub is told apart by."""

"""Claims made of texts, true and false, to train a support checker on."""

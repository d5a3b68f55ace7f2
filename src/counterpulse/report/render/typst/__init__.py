"""The neutral document in Typst's language, in which no text is ever read as markup."""

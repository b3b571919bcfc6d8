"""Small widgets that the views and dialogs are made of."""

"""Pure watching: guards over texts, monitors over what happens to a deployment."""

"""The words of the domain. This package knows no other part of Tellerline."""

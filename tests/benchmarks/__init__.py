"""Figures, printed and not asserted: speed as ratios, quality on the labelled corpus."""

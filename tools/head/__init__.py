"""Builds the head that ships: ``python -m tools.head ../shared/facebench``.

The face is the mean of the people the estimator was trained on, its shapes are their mean
displacements; skull, neck, ears, eyes, teeth and tongue are closed forms.
"""

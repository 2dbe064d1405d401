"""pandas, as the whole house uses it: every room gets it here, and none imports it by itself.

A webhook may be called "costs $5 and $6". pandas hands every table to MathJax unless told otherwise, and there is no telling
it for one frame alone; told here, it holds for whatever frame is the first.
"""

import pandas as pd

pd.set_option("display.html.use_mathjax", False)

__all__ = ["pd"]

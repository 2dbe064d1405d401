# ruff: noqa: INP001, A001 - Sphinx runs this file and reads its names
import sys
from pathlib import Path

import cstar_explore

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "cstar_explore"
author = "cstar_explore contributors"
copyright = author
release = cstar_explore.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "reference"]
exclude_patterns = ["_ext", "**/.ipynb_checkpoints"]
default_role = "py:obj"

# The course shows the notebooks' stored outputs. Widgets need a kernel, so no script is loaded for them.
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
myst_heading_anchors = 3

napoleon_numpy_docstring = False
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "exclude-members": "from_item, for_status"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
add_module_names = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 90
toc_object_entries_show_parents = "hide"

pygments_dark_style = "github-dark"
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_copy_source = False

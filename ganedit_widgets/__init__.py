"""Edit pictures with a GAN inside a notebook.

Two floors:

* ``ganedit_widgets.core``, the ground floor: torch and numpy; knows nothing of Jupyter.
* ``ganedit_widgets.panels``, the first floor: Jupyter widgets; no mathematics.

``ganedit_widgets.demo`` holds the model that ships with the package, and measures it.
Importing this module imports neither torch nor Jupyter.
"""

__version__ = "0.1.0"

"""What can go wrong because of the user's input; bugs raise Python's own exceptions."""


class GanEditError(Exception):
    """Base of every error a user can cause and can repair; its message says how."""


class ImageError(GanEditError):
    """A picture that cannot be read or used."""


class LatentError(GanEditError):
    """A latent that does not fit the generator it is given to."""


class DirectionError(GanEditError):
    """A direction that does not fit the generator or space, or cannot be found."""


class ModelError(GanEditError):
    """A model file that is refused, or a model that lacks what is asked of it."""


class RecipeError(GanEditError):
    """A saved recipe that cannot be read or replayed."""


class TrainingError(GanEditError):
    """A training run that cannot start or continue."""


class SegmentError(GanEditError):
    """Labels of parts, or a segmenter, that do not fit what they are used with."""


class LabelError(GanEditError):
    """Labels of attributes, or a list of attributes, that do not fit what they are used with."""

"""Errors a user of the app can meet; each message names the thing, the place and the remedy."""


class AppError(Exception):
    """Anything that stops the app and that its user can put right."""


class DataError(AppError):
    """The training data is not what it should be."""


class DataFileMissing(DataError):
    """The data file, or the digest file beside it, is not there or cannot be read."""


class DataDigestMismatch(DataError):
    """The data file's SHA-256 is not the recorded one."""


class DataColumnMissing(DataError):
    """A column that is needed is not in the file's header."""


class DataColumnEmpty(DataError):
    """A column that is needed holds no value at all."""


class DataMalformed(DataError):
    """A row is too short or too long, or a cell is not a number."""


class ArtifactError(AppError):
    """A trained model's folder is incomplete, was altered, or holds types nobody agreed to load."""

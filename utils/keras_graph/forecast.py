"""What layers do in a forecast that do something else in training."""

from contextlib import contextmanager

from tensorflow.keras import layers
from tf_keras.src import backend

# Layers that hand on what they get. Keras calls the last ones as in training, unless it is told.
IDENTITY = layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D
IDENTITY += layers.SpatialDropout3D, layers.GaussianDropout, layers.AlphaDropout
IDENTITY += layers.GaussianNoise, layers.ActivityRegularization, layers.Identity
IDENTITY += layers.RandomBrightness, layers.RandomContrast, layers.RandomFlip, layers.RandomHeight
IDENTITY += layers.RandomRotation, layers.RandomTranslation, layers.RandomWidth, layers.RandomZoom


def in_forecast(layer):
    """Options of a layer's call that make it compute as in a forecast."""
    return {"training": False} if layer._expects_training_arg else {}


@contextmanager
def built_for_forecasts():
    """In graph mode, networks that are built inside compute as in a forecast, and never train."""
    with backend.deprecated_internal_learning_phase_scope(0):
        backend._DUMMY_EAGER_GRAPH.learning_phase_is_set = True  # the scope puts it back
        yield

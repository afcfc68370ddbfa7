"""One neural network on LiteRT, read and written in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from livefacs.arrays import F32
from livefacs.errors import LandmarkerError
from livefacs.landmarkers.stderr_filter import native_logs_silenced

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

XNNPACK: Final = "XNNPACK"
PLAIN: Final = "plain kernels"
"""Delegates: what computes the operators of a network."""


def litert_version() -> str:
    """Version of the installed LiteRT, for reports."""
    return version("ai-edge-litert")


class Network:
    """A network with fixed shapes.

    Parameters
    ----------
    name : str
        For messages.
    model : bytes
        A ``.tflite`` file.
    input_sizes, output_sizes : sequence of int
        Numbers of values of each input and output, in the order of the file.
    n_threads : int

    Attributes
    ----------
    delegate : str
        ``XNNPACK``; LiteRT's plain kernels, which are several times slower, where it is refused.

    Raises
    ------
    LandmarkerError
        LiteRT is not installed, the file is no network, or one of other shapes.
    """

    def __init__(
        self,
        name: str,
        model: bytes,
        input_sizes: Sequence[int],
        output_sizes: Sequence[int],
        n_threads: int = 1,
    ) -> None:
        self.name = name
        with native_logs_silenced():
            self._interpreter, self.delegate = _open_interpreter(name, model, n_threads)
        inputs, outputs = (
            self._interpreter.get_input_details(),
            self._interpreter.get_output_details(),
        )
        _check_sizes(f"{name}: inputs", inputs, input_sizes)
        _check_sizes(f"{name}: outputs", outputs, output_sizes)
        self.inputs = self._views(inputs)
        self.outputs = self._views(outputs)

    def run(self) -> None:
        """Compute the outputs from the inputs. No view of either may be held."""
        self._interpreter.invoke()

    def _views(self, details: Sequence[dict[str, Any]]) -> tuple[Callable[[], F32], ...]:
        """Each gives its tensor in place, float32, for as long as the network does not run."""
        return tuple(self._interpreter.tensor(each["index"]) for each in details)


def _check_sizes(what: str, details: Sequence[dict[str, Any]], sizes: Sequence[int]) -> None:
    found = [(int(each["shape"].prod()), each["dtype"].__name__) for each in details]
    expected = [(size, "float32") for size in sizes]
    if found != expected:
        raise LandmarkerError(f"{what} should be {expected}, are {found}: this is another network")


def _open_interpreter(name: str, model: bytes, n_threads: int) -> tuple[Interpreter, str]:
    try:
        from ai_edge_litert.interpreter import OpResolverType
    except ImportError as error:
        raise LandmarkerError(
            f"{name}: LiteRT cannot be imported ({error}); install ai-edge-litert, or use the "
            "Tasks backend: pip install 'livefacs[mediapipe]', --landmarker tasks"
        ) from error
    try:
        return _allocated(model, n_threads, OpResolverType.AUTO), XNNPACK
    except (RuntimeError, ValueError) as refused:
        try:
            resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            return _allocated(model, n_threads, resolver), PLAIN
        except (RuntimeError, ValueError):
            reason = (str(refused).splitlines() or ["no reason given"])[0]
            raise LandmarkerError(f"{name}: LiteRT does not take this network ({reason})") from None


def _allocated(model: bytes, n_threads: int, resolver: OpResolverType) -> Interpreter:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(
        model_content=model, num_threads=n_threads, experimental_op_resolver_type=resolver
    )
    interpreter.allocate_tensors()
    return interpreter

"""What a failed command's error carries."""

from ci.engine.errors import OUTPUT_LIMIT, ExecError, shortened


def test_the_message_is_the_exit_code_and_the_output_travels_beside_it():
    error = ExecError(["a", "b"], 2, " out \n", "\nerr\n")
    assert str(error) == "exit code: 2"
    assert (error.stdout, error.stderr) == ("out", "err")


def test_long_output_keeps_its_end_and_says_how_much_is_missing():
    text = "é" * OUTPUT_LIMIT + "end"
    kept = shortened(text)
    assert kept.startswith(f"[omitting {OUTPUT_LIMIT + 3} bytes]...")
    assert kept.endswith("éend")
    assert len(kept.encode()) <= OUTPUT_LIMIT + 8


def test_short_output_is_kept_as_it_is():
    assert shortened("x" * (OUTPUT_LIMIT - 1)) == "x" * (OUTPUT_LIMIT - 1)

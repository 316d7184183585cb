"""What a model is asked about a clip of which it sees two frames."""

DESCRIBE = (
    "These are the first and the last frame of one short clip. Describe the clip so that somebody who has not seen it "
    "could film it again: who and what is seen, the place, how the picture changes from the first frame to the last, "
    "what the camera seems to do, the light, the colours and the style. Say plainly what cannot be known from two "
    "frames. Answer in flowing text without headings."
)
"""The whole task; the frames go along in that order."""

"""What a chaos run puts inside the processes it starts: known mistakes, and a clock that jumps."""

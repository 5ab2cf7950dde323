"""What does a file show? How large it is, how long it lasts, and a small picture of it.

    spool      a copy beside the one that is stored, within a bound
    decoders   hands it to one of a few child processes, and gives up on those that do not answer
    child      such a process: confined, with nothing of ours to lose; opens the file, answers
    pictures, films   what it does with the libraries that a hostile file attacks
    kinds, seen       which files are opened at all, and what is told of them
Nothing here can fail a job: a file that can not be read goes without.
"""

"""The commands of `loa`, one file each: arguments in, words and an exit code out."""

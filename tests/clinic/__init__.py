"""What a clinic does on a Monday: sheets in, a list out, answers kept, a log."""

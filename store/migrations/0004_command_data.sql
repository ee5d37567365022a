-- What an action needs beside words: a new date, whom, a score. JSON as text.

ALTER TABLE commands ADD COLUMN data text;

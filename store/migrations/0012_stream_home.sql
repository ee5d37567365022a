-- On which server, and on which of its timelines, the stream's positions were given: after a restore
-- they go on far ahead, so that no reader takes a new change for one it had seen (store/home.py).
ALTER TABLE stream ADD COLUMN home text;

-- R20: how long an order of this attempt may take to be carried out, and then to be listed, as it was when it was sent. A file that says less
-- later does not make an order appear sooner.
ALTER TABLE attempt ADD COLUMN settle_s INTEGER;

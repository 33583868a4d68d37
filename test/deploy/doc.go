// Package deploy tests the files by which an operator runs Parley: the image,
// docker-compose.yml, and what is in deploy. They are read strictly, every
// setting in them is given to the program's own settings, every metric in an
// alert or a dashboard is looked for on a running node, and whatever program
// has a check of its own for a file is asked, if it is installed (Debian:
// haproxy, prometheus, systemd; kubectl).
//
//	make test       the above
//	make cluster    what docker-compose.yml names, started as processes
//
// The rule to keep: nothing is repeated here that a file says. A test reads the
// file, so that it fails when the file is wrong.
package deploy

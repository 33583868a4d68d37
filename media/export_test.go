package media

import "os"

// SetSync puts something else in the place of fsync.
func (d *Directory) SetSync(sync func(*os.File) error) { d.sync = sync }

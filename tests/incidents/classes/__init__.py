"""The classes of incidents, by theme; every public function of a module here is one."""

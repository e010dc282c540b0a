//! An object as a video that the decoder can open.

use std::io;

use facereel_store::s3::ObjectSource;
use facereel_video_decode::{ReadSeek, StreamOpener};
use tokio::runtime::Handle;

/// One version of an object.
#[derive(Debug)]
pub(super) struct ObjectVideo {
    object: ObjectSource,
    /// Where requests run while a decoder's thread waits for them.
    runtime: Handle,
}

impl ObjectVideo {
    /// The video of an object; to be called on the runtime.
    pub(super) fn new(object: ObjectSource) -> Self {
        Self { object, runtime: Handle::current() }
    }
}

impl StreamOpener for ObjectVideo {
    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(self.object.reader(&self.runtime)))
    }

    fn name(&self) -> String {
        self.object.url().to_owned()
    }
}

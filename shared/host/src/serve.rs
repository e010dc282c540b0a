//! The life of a service: probes first, then all it needs side by side, then jobs, until it is told to stop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use facereel_domain::cause::chain;
use facereel_domain::settings::{QueueSettings, RuntimeSettings, Settings};
use facereel_queue::Queue;
use facereel_service::cpu::CpuLimit;
use facereel_service::worker::{Leftovers, RetryPolicy, TraceLink, Workplace};
use facereel_service::{Assignment, ComputePool, PrepareError, Service, StageContext, StopSignals, Threads};
use facereel_store::Store;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::crew::Crew;
use crate::exit::{Exit, StartError};
use crate::health::{Health, Part, watch_store};
use crate::http::{Answers, Server};
use crate::metrics::{Identity, Metrics};
use crate::reach;
use crate::trap::Wrapping;

/// How long saying goodbye to the broker may take.
const GOODBYE: Duration = Duration::from_secs(5);

/// Runs a service until it is told to stop or can't go on.
pub(crate) async fn serve<S: Service>(
    settings: &Settings,
    trace: Arc<dyn TraceLink>,
) -> Result<Exit, StartError> {
    let mut signals = StopSignals::listen()?;
    let runtime = &settings.runtime;
    let threads = Threads::here(&runtime.limits);
    let assigned = Assignment::of::<S>(&runtime.service.stages)?;
    let wrapping = Wrapping::new(&runtime.service.fail_point)?;
    let health = Arc::new(Health::new());
    let identity = Identity { service: S::NAME, stages: assigned.stages(), threads: threads.compute };
    let metrics = Arc::new(Metrics::new(identity, Arc::clone(&health)));
    // Tasks that end with this function.
    let mut attendants = JoinSet::new();
    let server = listen::<S>(runtime).await?;
    attendants.spawn(server.run(Arc::new(Answers { health: health.clone(), metrics: metrics.clone() })));

    let mut ready = tokio::select! {
        ready = get_ready::<S>(settings, (&assigned, threads), &health) => ready?,
        () = signals.next() => {
            info!("told to stop while starting");
            return Ok(Exit::Stopped);
        }
    };
    attendants.spawn(watch_store(Arc::clone(&ready.store), health.clone()));
    attendants.spawn(count_losses(ready.queue.health(), metrics.clone()));
    (ready.store, ready.queue) = (wrapping.store(ready.store), wrapping.queue(ready.queue));
    let mut place = workplace(&ready, (runtime, threads), &metrics)?;
    place.trace = trace;
    let mut crew = Crew::new(place, metrics, runtime.service.slots as usize);
    ready.service.staff(&mut crew);
    health.set(Part::Intake, Ok(()));
    info!(stages = %assigned, threads = threads.compute, "ready");
    let exit = work(&mut crew, &mut signals, (runtime, &health)).await;
    if let Err(late) = timeout(GOODBYE, close(ready.queue.as_ref())).await {
        warn!(%late, "the broker did not say goodbye");
    }
    info!(code = exit.code(), "{}", exit.meaning());
    Ok(exit)
}

/// Where the workers work.
fn workplace<S>(
    ready: &Ready<S>,
    (runtime, threads): (&RuntimeSettings, Threads),
    metrics: &Arc<Metrics>,
) -> io::Result<Workplace> {
    let context = StageContext {
        store: Arc::clone(&ready.store),
        compute: ComputePool::new("compute", threads.compute)?,
        cpu: Arc::new(CpuLimit::new(threads.cpu_percent)),
        progress: metrics.clone(),
        shutdown: CancellationToken::new(),
    };
    let mut place = Workplace::new(Arc::clone(&ready.queue), context, metrics.clone());
    place.high_water = runtime.queue.high_water.into();
    place.retry = retries(&runtime.queue);
    place.time_limit = Some(Duration::from_secs_f64(runtime.service.job_timeout_sec));
    place.leftovers = if runtime.export.keep_work { Leftovers::Keep } else { Leftovers::Delete };
    Ok(place)
}

/// Works until a signal comes or a worker fails, then stops.
async fn work(
    crew: &mut Crew,
    signals: &mut StopSignals,
    (runtime, health): (&RuntimeSettings, &Health),
) -> Exit {
    let unasked = tokio::select! {
        () = signals.next() => {
            info!("told to stop");
            Exit::Stopped
        }
        exit = crew.first_end() => exit,
    };
    health.set(Part::Intake, Err("stopping".to_owned()));
    let drain = Duration::from_secs_f64(runtime.service.drain_sec);
    unasked.or(crew.wind_down(signals, drain).await)
}

async fn listen<S: Service>(runtime: &RuntimeSettings) -> Result<Server, StartError> {
    let given = &runtime.service.listen;
    let address = if given.is_empty() { format!("127.0.0.1:{}", S::PORT) } else { given.clone() };
    let failed = |source| StartError::Listen { address: address.clone(), source };
    let server = Server::bind(&address).await.map_err(failed)?;
    info!(service = S::NAME, version = env!("CARGO_PKG_VERSION"), address = %server.address()?, "listening");
    Ok(server)
}

/// What a service works with.
struct Ready<S> {
    service: S,
    store: Arc<dyn Store>,
    queue: Arc<dyn Queue>,
}

/// Loads models while broker and store are being reached; the first failure counts.
async fn get_ready<S: Service>(
    settings: &Settings,
    (assigned, threads): (&Assignment, Threads),
    health: &Health,
) -> Result<Ready<S>, StartError> {
    let service = async {
        health.set(Part::Models, Err("being loaded".to_owned()));
        let (settings, assigned) = (settings.clone(), assigned.clone());
        let prepare = move || S::prepare(&settings, &assigned, threads.compute);
        let prepared = tokio::task::spawn_blocking(prepare).await;
        let service = prepared.map_err(|panic| PrepareError::Models(panic.into()))??;
        health.set(Part::Models, Ok(()));
        Ok(service)
    };
    let runtime = &settings.runtime;
    let (service, store, queue) =
        tokio::try_join!(service, reach::store(runtime, health), reach::broker(runtime, S::NAME, health))?;
    health.follow_broker(queue.health());
    Ok(Ready { service, store, queue })
}

fn retries(settings: &QueueSettings) -> RetryPolicy {
    RetryPolicy {
        attempts: settings.attempts,
        first_pause: Duration::from_secs_f64(settings.retry_sec),
        longest_pause: Duration::from_secs_f64(settings.longest_retry_sec),
    }
}

/// Counts how often the broker goes away.
async fn count_losses(
    mut health: tokio::sync::watch::Receiver<facereel_queue::QueueHealth>,
    metrics: Arc<Metrics>,
) {
    let mut was_ready = true;
    while health.changed().await.is_ok() {
        let is_ready = health.borrow_and_update().is_ready();
        if was_ready && !is_ready {
            metrics.broker_lost();
        }
        was_ready = is_ready;
    }
}

async fn close(queue: &dyn Queue) {
    if let Err(error) = queue.close().await {
        warn!(reason = chain(&error), "the queue was not closed in good order");
    }
}

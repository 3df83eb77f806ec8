//! Numbers over time: a tenant at a glance, and one endpoint.

use std::time::Duration;

use hookyard_domain::endpoint::{Activity, Endpoint, EndpointNo, EndpointStatus};
use hookyard_domain::limit;
use hookyard_domain::statistics::{Range, Tally};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::statistics::Backlog;

use crate::checks::Checks;
use crate::powers::Power;
use crate::{App, AppError, Caller};

/// Numbers of some time.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// How far back they go.
    pub range: Range,
    /// Where the first point begins.
    pub from: Timestamp,
    /// Where the last point ends.
    pub until: Timestamp,
    /// All of it.
    pub totals: Tally,
    /// Every point, oldest first.
    pub series: Vec<Point>,
}

/// One point of a chart.
#[derive(Clone, Debug)]
pub struct Point {
    /// Where it begins.
    pub at: Timestamp,
    /// What was counted from there to the next.
    pub tally: Tally,
}

/// An endpoint that fails.
#[derive(Clone, Debug)]
pub struct Failing {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// What is counted of it as its deliveries go by.
    pub activity: Activity,
    /// What was counted of it in the range.
    pub totals: Tally,
}

/// A tenant at a glance.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Its deliveries over time.
    pub numbers: Numbers,
    /// What it is owed at the moment.
    pub backlog: Backlog,
    /// Endpoints in each state.
    pub endpoints: Vec<(EndpointStatus, u64)>,
    /// How many fail.
    pub failing_count: u64,
    /// Those that fail, the longest failing first.
    pub failing: Vec<Failing>,
}

/// One endpoint in numbers.
#[derive(Clone, Debug)]
pub struct EndpointStats {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Its deliveries over time.
    pub numbers: Numbers,
    /// What it is owed at the moment.
    pub backlog: Backlog,
    /// What is counted of it as its deliveries go by.
    pub activity: Activity,
}

impl App {
    /// A tenant at a glance, or as much of it as the caller sees.
    pub async fn overview(
        &self,
        caller: &Caller,
        tenant: &str,
        range: Option<&str>,
    ) -> Result<Overview, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let range = checked(range)?;
        let config = self.store().tenant_config(no).await?;
        let mut seen = config.ok_or(AppError::NotFound { what: "tenant" })?.endpoints;
        seen.retain(|it| caller.sees(it.settings.profile, it.settings.scope.as_ref()));
        let numbers: Vec<EndpointNo> = seen.iter().map(|it| it.no).collect();
        let is_whole = caller.who.scope().is_none();
        let mut axis = Axis::new(range, self.now());
        if is_whole {
            self.count_into(&mut axis, no, None).await?;
        } else {
            for endpoint in &numbers {
                self.count_into(&mut axis, no, Some(*endpoint)).await?;
            }
        }
        // Of the moment last: what the numbers count as ended is not owed any more, and its endpoint knows of it.
        let activities = self.store().activity(no, &numbers).await?;
        let only = (!is_whole).then_some(numbers.as_slice());
        let backlog = self.store().backlog(no, only, limit::BACKLOG_COUNTED_MAX).await?;
        let statuses = [
            EndpointStatus::Pending,
            EndpointStatus::Active,
            EndpointStatus::Paused,
            EndpointStatus::Disabled,
        ];
        let count = |status| seen.iter().filter(|it| it.status == status).count() as u64;
        let endpoints = statuses.map(|it| (it, count(it))).to_vec();
        let mut failing: Vec<(Endpoint, Activity)> = seen
            .into_iter()
            .zip(activities)
            .filter(|(_, activity)| activity.failing_since.is_some())
            .collect();
        failing.sort_by_key(|(endpoint, activity)| (activity.failing_since, endpoint.no));
        let failing_count = failing.len() as u64;
        failing.truncate(limit::FAILING_SHOWN_MAX);
        let mut shown = Vec::with_capacity(failing.len());
        for (endpoint, activity) in failing {
            let mut own = Axis::new(range, self.now());
            self.count_into(&mut own, no, Some(endpoint.no)).await?;
            shown.push(Failing { endpoint, activity, totals: own.numbers().totals });
        }
        let numbers = axis.numbers();
        Ok(Overview { numbers, backlog, endpoints, failing_count, failing: shown })
    }

    /// One endpoint in numbers.
    pub async fn endpoint_stats(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        range: Option<&str>,
    ) -> Result<EndpointStats, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let range = checked(range)?;
        let endpoint = self.load_endpoint(caller, no, id).await?;
        let mut axis = Axis::new(range, self.now());
        self.count_into(&mut axis, no, Some(endpoint.no)).await?;
        let only = [endpoint.no];
        let backlog = self.store().backlog(no, Some(&only), limit::BACKLOG_COUNTED_MAX).await?;
        let activity = self.store().activity(no, &only).await?;
        let activity = activity.first().copied().unwrap_or_default();
        Ok(EndpointStats { endpoint, numbers: axis.numbers(), backlog, activity })
    }

    async fn count_into(
        &self,
        axis: &mut Axis,
        tenant: TenantNo,
        endpoint: Option<EndpointNo>,
    ) -> Result<(), AppError> {
        for piece in self.store().pieces(tenant, endpoint, axis.from).await? {
            axis.put(piece.at, &piece.tally);
        }
        Ok(())
    }
}

fn checked(range: Option<&str>) -> Result<Range, AppError> {
    let mut checks = Checks::default();
    let found = checks.one_of("range", range, &Range::ALL, Range::as_str);
    checks.done()?;
    Ok(found.unwrap_or_default())
}

/// The points of a range, at whole steps since 1970, so that a chart does not tremble as time goes by.
struct Axis {
    range: Range,
    from: Timestamp,
    step_ms: i64,
    points: Vec<Tally>,
}

impl Axis {
    fn new(range: Range, now: Timestamp) -> Self {
        let ms = |it: Duration| i64::try_from(it.as_millis()).unwrap_or(i64::MAX);
        let (whole_ms, step_ms) = (ms(range.whole()), ms(range.step()));
        // The step under way is the last point.
        let end_ms = (now.as_millis().div_euclid(step_ms) + 1) * step_ms;
        let points = vec![Tally::default(); usize::try_from(whole_ms / step_ms).unwrap_or(1)];
        Self { range, from: Timestamp::from_millis(end_ms - whole_ms), step_ms, points }
    }

    fn at(&self, place: usize) -> Timestamp {
        let steps = i64::try_from(place).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.from.as_millis() + steps.saturating_mul(self.step_ms))
    }

    fn put(&mut self, at: Timestamp, tally: &Tally) {
        let steps = (at.as_millis() - self.from.as_millis()).div_euclid(self.step_ms);
        let last = self.points.len().saturating_sub(1);
        // What another node's clock has put ahead of ours stands in the last point.
        let place = usize::try_from(steps).map(|it| it.min(last));
        if let Some(point) = place.ok().and_then(|it| self.points.get_mut(it)) {
            point.add(tally);
        }
    }

    fn numbers(self) -> Numbers {
        let mut totals = Tally::default();
        self.points.iter().for_each(|it| totals.add(it));
        let (range, from, until) = (self.range, self.from, self.at(self.points.len()));
        let times: Vec<Timestamp> = (0..self.points.len()).map(|it| self.at(it)).collect();
        let series = times.into_iter().zip(self.points);
        let series = series.map(|(at, tally)| Point { at, tally }).collect();
        Numbers { range, from, until, totals, series }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_point_is_the_step_under_way() {
        let now: Timestamp = "2026-05-19T08:35:14.000Z".parse().unwrap();
        for (range, points, from, until) in [
            (Range::Hour, 60, "07:36:00", "08:36:00"),
            (Range::SixHours, 72, "02:40:00", "08:40:00"),
            (Range::Day, 96, "08:45:00", "08:45:00"),
            (Range::Week, 84, "10:00:00", "10:00:00"),
            (Range::Month, 90, "16:00:00", "16:00:00"),
        ] {
            let mut axis = Axis::new(range, now);
            let one = Tally { succeeded: 1, ..Tally::default() };
            let before = Timestamp::from_millis(axis.from.as_millis() - 1);
            for at in [before, axis.from, now, now.plus(Duration::from_secs(7 * 3600 * 24))] {
                axis.put(at, &one);
            }
            let numbers = axis.numbers();
            assert_eq!(numbers.series.len(), points, "{range:?}");
            assert_eq!(numbers.totals.succeeded, 3, "{range:?}");
            assert_eq!(numbers.series[0].tally.succeeded, 1, "{range:?}");
            assert_eq!(numbers.series[points - 1].tally.succeeded, 2, "{range:?}");
            assert!(numbers.from.to_string().contains(from), "{range:?} {}", numbers.from);
            assert!(numbers.until.to_string().contains(until), "{range:?} {}", numbers.until);
        }
    }
}

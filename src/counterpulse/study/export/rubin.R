# -- imputed tables --------------------------------------------------------------------------------------------------

# The values filled in, once for each file.
filled_in <- local({
  known <- list()
  function(file) {
    if (is.null(known[[file]])) known[[file]] <<- read.csv(file, colClasses = "character", check.names = FALSE, na.strings = "", encoding = "UTF-8")
    known[[file]]
  }
})

# The patients of one imputed table: what was blank is filled in, and moved where the analysis asks it, then what is derived from
# it is derived again.
imputed_patients <- function(observed, file, table, derive, moved = list()) {
  own <- filled_in(file)
  own <- own[own$.imputation == table, , drop = FALSE]
  at <- match(as.integer(own$row.), observed$row.)
  patients <- observed
  for (name in setdiff(names(own), c(".imputation", "row."))) {
    given <- own[[name]]
    column <- patients[[name]]
    values <- if (is.logical(column)) yes_no(given) else if (is.numeric(column)) as.numeric(given) else given
    put_in <- is.na(column[at]) & !is.na(given)
    column[at[put_in]] <- values[put_in]
    if (!is.null(moved[[name]])) {
      blank <- is.na(patients[[name]])
      column[blank] <- column[blank] + moved[[name]]
    }
    patients[[name]] <- column
  }
  derive(patients)
}

# From here on numbers are kept, a list a name, until they are pooled; gives the tables to go through.
each_of <- function(m) {
  kept <<- list()
  seq_len(m)
}

# Every number of which all tables have one. What no imputed value touched is the same in all of them, and stays as it is.
pool <- function(m) {
  found <- Filter(function(versions) length(versions) == m, kept)
  kept <<- NULL
  for (id in names(found)) {
    versions <- found[[id]]
    first <- versions[[1]]
    if (all(vapply(versions, identical, TRUE, first))) {
      repeated[[id]] <<- first$shown
    } else if (!is.null(first$values)) {
      pool_joint(id, versions)
    } else if (!is.null(first$statistic)) {
      pool_statistics(id, versions)
    } else {
      pool_number(id, versions)
    }
  }
}

part_of <- function(versions, name) vapply(versions, function(one) one[[name]], 0)

# Rubin's rules (1987) on the scale of estimation, with the degrees of freedom of Barnard and Rubin (1999).
pool_number <- function(id, versions) {
  first <- versions[[1]]
  if (is.null(first$value)) return(compare(id, mean(vapply(versions, function(one) one$shown$estimate, 0))))
  m <- length(versions)
  value <- mean(part_of(versions, "value"))
  errors <- part_of(versions, "error")
  if (!all(is.finite(errors) & errors > 0)) return(compare(id, first$natural(value)))
  within <- mean(errors^2)
  total <- within + (1 + 1 / m) * var(part_of(versions, "value"))
  put(id, value, sqrt(total), first$level, first$natural, barnard_rubin(m, within, total, mean(part_of(versions, "df"))))
}

barnard_rubin <- function(m, within, total, complete) {
  missing <- max((total - within) / total, 1e-4)
  df <- (m - 1) / missing^2
  if (!is.finite(complete)) return(df)
  observed <- (complete + 1) / (complete + 3) * complete * (1 - missing)
  df * observed / (df + observed)
}

# D1, a test of several coefficients (Li, Raghunathan and Rubin 1991; Reiter 2007 where the complete data are finite), of one that
# of Barnard and Rubin; never with more degrees of freedom than without missing values.
pool_joint <- function(id, versions) {
  values <- do.call(rbind, lapply(versions, function(one) one$values))
  m <- nrow(values)
  k <- ncol(values)
  within <- Reduce(`+`, lapply(versions, function(one) one$covariance)) / m
  increase <- (1 + 1 / m) * sum(diag(solve(within, var(values)))) / k
  middle <- colMeans(values)
  statistic <- drop(middle %*% solve(within, middle)) / (k * (1 + increase))
  complete <- if (is.null(versions[[1]]$complete)) Inf else mean(part_of(versions, "complete"))
  denominator <- if (k == 1) barnard_rubin(m, drop(within), drop(within) * (1 + increase), complete) else
    min(complete, denominator_d1(m, k, increase, complete))
  compare(id, NA, p = pf(statistic, k, denominator, lower.tail = FALSE))
}

denominator_d1 <- function(m, k, r, complete) {
  t <- k * (m - 1)
  a <- if (t > 2) r * t / (t - 2) else Inf
  v <- (complete + 1) / (complete + 3) * complete
  if (t > 4 && is.finite(complete) && v - 4 * (1 + a) > 0) {
    z1 <- v - 2 * (1 + a)
    z2 <- v - 4 * (1 + a)
    inverse <- 1 / z2 + (a^2 * z1 / ((1 + a)^2 * z2) + 8 * a^2 * z1 / ((1 + a) * z2^2) + 4 * a^2 / ((1 + a) * z2) +
      4 * a^2 / (z2 * z1) + 16 * a^2 * z1 / z2^3 + 8 * a^2 / z2^2) / (t - 4)
    return(4 + 1 / inverse)
  }
  if (r <= 0) return(Inf)
  if (t > 4) 4 + (t - 4) * (1 + (1 - 2 / t) / r)^2 else t * (1 + 1 / k) * (1 + 1 / r)^2 / 2
}

# D2, of chi-squareds alone (Li, Meng, Raghunathan and Rubin 1991).
pool_statistics <- function(id, versions) {
  d <- part_of(versions, "statistic")
  k <- versions[[1]]$freedom
  m <- length(d)
  r <- (1 + 1 / m) * var(sqrt(d))
  statistic <- max((mean(d) / k - (m + 1) / (m - 1) * r) / (1 + r), 0)
  compare(id, NA, p = pf(statistic, k, k^(-3 / m) * (m - 1) * (1 + 1 / r)^2, lower.tail = FALSE))
}

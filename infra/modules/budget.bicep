@description('Name of the budget.')
param name string

@description('Spending of a month, in the currency of the subscription.')
param amount int

@description('First day: the first of a month.')
param start string

@description('Who is told besides the owners; empty: nobody.')
param email string

var told = empty(email) ? [] : [email]

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: start }
    notifications: {
      spent80: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: told
        contactRoles: ['Owner']
      }
      foreseen100: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: told
        contactRoles: ['Owner']
      }
    }
  }
}

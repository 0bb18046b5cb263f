// Deployed after the functions (infra/hooks/subscribe.py): Event Grid asks each function whether it wants the events.

@description('Id of the function app.')
param appId string

@description('Name of the system topic of the storage account.')
param storageTopicName string

@description('Name of the system topic of the workspace.')
param workspaceTopicName string

@description('Id of the account of the container deadletters.')
param storageId string

var wanted = loadJsonContent('subscriptions.json')

resource storageTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: storageTopicName
}

resource workspaceTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: workspaceTopicName
}

resource ofStorage 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for one in wanted.storage: {
    parent: storageTopic
    name: one.name
    properties: {
      destination: {
        endpointType: 'AzureFunction'
        properties: {
          resourceId: '${appId}/functions/${one.function}'
          maxEventsPerBatch: 1
          preferredBatchSizeInKilobytes: 64
        }
      }
      eventDeliverySchema: 'EventGridSchema'
      filter: one.filter
      retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
      deadLetterWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        deadLetterDestination: {
          endpointType: 'StorageBlob'
          properties: { resourceId: storageId, blobContainerName: 'deadletters' }
        }
      }
    }
  }
]

resource ofWorkspace 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for one in wanted.workspace: {
    parent: workspaceTopic
    name: one.name
    properties: {
      destination: {
        endpointType: 'AzureFunction'
        properties: {
          resourceId: '${appId}/functions/${one.function}'
          maxEventsPerBatch: 1
          preferredBatchSizeInKilobytes: 64
        }
      }
      eventDeliverySchema: 'EventGridSchema'
      filter: one.filter
      retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
      deadLetterWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        deadLetterDestination: {
          endpointType: 'StorageBlob'
          properties: { resourceId: storageId, blobContainerName: 'deadletters' }
        }
      }
    }
  }
]
